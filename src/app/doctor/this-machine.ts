import { decoderInUse } from '../../archive/xz/decode-xz';
import { ndkCandidates, pathClangs, pathGccs, type Candidate } from '../../kbuild/toolchain/candidates';
import { findMake } from '../../kbuild/toolchain/find-make';
import { identifyCompiler } from '../../kbuild/toolchain/identify';
import { versionText } from '../../kbuild/toolchain/toolchain';
import { khVersion } from '../version';
import { findings, type DoctorFinding } from './finding';

/** What kh itself runs on, and which of the tools that it can use are here. */
export async function lookAtMachine(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const { ok } = findings('kh', 'kh');
  const parts = await Promise.all([lookAtXz(), lookAtMake(signal), lookAtCompilers(environment, signal)]);
  return [
    ok(`kh ${khVersion()} on Node ${process.versions.node}, ${process.platform} ${process.arch}`),
    ...parts,
  ];
}

async function lookAtXz(): Promise<DoctorFinding> {
  const { ok, note, failed } = findings('kh', 'xz');
  try {
    const name = await decoderInUse();
    if (name === 'xz') return ok('archives are decoded by the xz command');
    const slower =
      name === 'native' ? 'lzma-native, which takes twice as long' : 'WebAssembly, the slowest way';
    return note(`archives are decoded by ${slower} as the xz command`, 'install xz (package xz-utils or xz)');
  } catch (error) {
    return failed(error);
  }
}

async function lookAtMake(signal: AbortSignal): Promise<DoctorFinding> {
  const { ok, failed } = findings('kh', 'make');
  try {
    return ok(`modules are built with ${await findMake(signal)}`);
  } catch (error) {
    signal.throwIfAborted();
    return failed(error, 'warning');
  }
}

async function lookAtCompilers(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<DoctorFinding> {
  const { ok, warning } = findings('compiler', 'installed');
  const candidates = [
    ...ndkCandidates(environment),
    ...pathClangs(environment, undefined),
    ...pathGccs(environment, 'arm64', undefined),
  ];
  const found = await Promise.all(candidates.map((candidate) => describe(candidate, environment, signal)));
  const present = [...new Set(found.filter((text) => text !== undefined))];
  if (present.length > 0) return ok(present.join(', '));
  return warning(
    'no clang, no Android NDK and no gcc for arm64 is here: no module can be built',
    'install clang 16 or later with lld, or the Android NDK (ANDROID_NDK_HOME names it)',
  );
}

async function describe(
  { compiler: command, origin }: Candidate,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | undefined> {
  const compiler = await identifyCompiler(command, { signal, environment });
  if (compiler === undefined) return undefined;
  const name = `${compiler.kind} ${versionText(compiler.version)}`;
  return `${name} (${origin === 'ndk' ? 'NDK, ' : ''}${command.join(' ')})`;
}
