'use strict';
// Debian's kernels for arm64: their packages from apt, without a change to the machine.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Of these the newest kernels are: one for each line that the distribution keeps. */
const META_PACKAGES = '^linux-headers(-[0-9]+[.][0-9]+)?-arm64$';

/**
 * apt of this machine's own sources, but for arm64, and with its lists and
 * packages below `cache`: anyone may do that, and nothing else changes.
 */
function openApt(cache) {
  const state = path.join(cache, 'apt');
  const [lists, status] = [path.join(state, 'lists'), path.join(state, 'status')];
  fs.mkdirSync(path.join(lists, 'partial'), { recursive: true });
  fs.mkdirSync(path.join(state, 'archives/partial'), { recursive: true });
  fs.writeFileSync(status, '');
  const settings = {
    'Dir::State': state,
    'Dir::State::status': status,
    'Dir::Cache': state,
    'APT::Architecture': 'arm64',
    'APT::Architectures::': 'arm64',
    'APT::Sandbox::User': 'root',
  };
  const words = Object.entries(settings).map(([name, value]) => `-o${name}=${value}`);
  const run = (program, args, cwd) => output(program, [...words, '-qq', ...args], cwd);
  run('apt-get', ['update']);
  return { run };
}

/** @returns {string[]} the releases that the distribution's own meta packages stand for */
function newestReleases(apt) {
  const names = apt
    .run('apt-cache', ['search', '--names-only', META_PACKAGES])
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ', 1)[0]);
  const found = names.flatMap((name) => {
    const depends = apt.run('apt-cache', ['depends', '--important', name]);
    return /Depends: linux-headers-(\S+)/.exec(depends)?.[1] ?? [];
  });
  return [...new Set(found)];
}

/**
 * Downloads what belongs to a kernel into `folder`, unless it is there: image,
 * headers, and what these two are made of.
 */
function download(apt, release, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const get = (...names) => {
    const missing = names.filter((name) => packageFile(folder, name) === undefined);
    if (missing.length > 0) apt.run('apt-get', ['download', ...missing], folder);
  };
  get(`linux-headers-${release}`, `linux-image-${release}`);
  get(...furtherPackages(folder, release));
}

/**
 * Unpacks a kernel's packages into a folder of `cache`, unless they are there.
 *
 * @returns where what is needed of them lies
 */
function unpack(release, folder, cache) {
  const root = path.join(cache, release);
  if (!fs.existsSync(root)) {
    const unfinished = `${root}.part`;
    fs.rmSync(unfinished, { recursive: true, force: true });
    const names = [`linux-headers-${release}`, `linux-image-${release}`, ...furtherPackages(folder, release)];
    for (const name of names) {
      const file = packageFile(folder, name) ?? packageFile(folder, `${name}-unsigned`);
      if (file === undefined) throw new Error(`there is no package ${name} in ${folder}`);
      output('dpkg-deb', ['--extract', file, unfinished]);
    }
    fs.renameSync(unfinished, root);
  }
  return {
    release,
    headers: path.join(root, 'usr/src', `linux-headers-${release}`),
    vmlinuz: imageIn(root, release),
  };
}

/** In 7.x it is no longer in /boot, where a script of the package puts it. */
function imageIn(root, release) {
  const places = [path.join('boot', `vmlinuz-${release}`), path.join('usr/lib/modules', release, 'vmlinuz')];
  const place = places.find((name) => fs.existsSync(path.join(root, name)));
  if (place === undefined) throw new Error(`there is no kernel in ${root}: neither ${places.join(' nor ')}`);
  return path.join(root, place);
}

/** @returns {string[]} the releases that there are packages of headers of */
function releasesIn(folder) {
  return fs.readdirSync(folder).flatMap((name) => {
    const [, release] = /^linux-headers-([^_]+)_[^_]+_arm64\.deb$/.exec(name) ?? [];
    return release === undefined ? [] : [release];
  });
}

/** The headers that it has in common with others; in 7.x also the kernel itself, of which `linux-image-*` is only the name. */
function furtherPackages(folder, release) {
  const depends = ['headers', 'image'].map((kind) => dependsOf(folder, `linux-${kind}-${release}`)).join();
  const common = /linux-headers-\S+-common\S*/.exec(depends);
  if (common === null) throw new Error(`the headers of ${release} depend on no linux-headers-VERSION-common`);
  const binary = `linux-binary-${release}`;
  return [common[0], ...(depends.includes(`${binary} `) ? [binary] : [])];
}

function dependsOf(folder, name) {
  const file = packageFile(folder, name) ?? packageFile(folder, `${name}-unsigned`);
  if (file === undefined) throw new Error(`there is no package ${name} in ${folder}`);
  return output('dpkg-deb', ['--field', file, 'Depends']);
}

function packageFile(folder, name) {
  const file = fs.readdirSync(folder).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith('.deb'));
  return file && path.join(folder, file);
}

function output(program, args, cwd) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
}

module.exports = { download, newestReleases, openApt, releasesIn, unpack };
