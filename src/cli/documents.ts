import type { BuildResult } from '../app/build-and-load';
import type { CarvedImage } from '../app/carve';
import type { DeviceDescription } from '../app/describe-devices';
import type { Diagnosis } from '../app/doctor/doctor';
import type { HeadersDiff } from '../app/headers/diff-headers';
import type { HeadersList } from '../app/headers/list-headers';
import type { HeaderDocument } from '../app/headers/show-headers';
import type { SearchResult } from '../app/headers/search-headers';
import type { ImportedHeaders } from '../app/import-headers';
import type { LoadedModule } from '../app/load-module';
import type { DeviceCheck } from '../app/check-device';
import type { NewKeys } from '../app/manifest-keys';
import type { AddedEntries, ManifestCheck, RevokedArchives } from '../app/manifests';
import type { CheckedSignature, Manifest } from '../app/open-manifest';
import type { SignedManifest } from '../app/sign-manifest';
import type { PackedHeaders } from '../app/pack-headers';
import type { PulledHeaders } from '../app/pull-headers';
import type { RecoveredSymvers } from '../app/recover-symvers';
import type { Garbage } from '../app/store-gc';
import type { UnloadedModule } from '../app/unload-module';
import type { StoreCheck } from '../app/verify-store';
import type { WorkspaceCheck } from '../app/verify-workspaces';
import type { WorkspaceEnvironment } from '../app/workspace-env';
import type { RemovedWorkspaces, WorkspacePaths, WorkspaceResult } from '../app/workspaces';
import type { DevicesDocument, OutcomesDocument, ResultDocument } from './envelope';
import type { Settings } from './list-settings';

export type { FailureDocument } from './envelope';

/** Where a simulated adb server listens, and what is attached to it. */
export interface SimulatorPlace {
  /** `HOST:PORT` */
  address: string;
  host: string;
  port: number;
  serials: string[];
}

/** A manifest, and what the signatures beside it are worth. */
export type ShownManifest = Manifest & { signatures: CheckedSignature[] };

/**
 * What each command prints with `--json` once it did its work, by its id. The
 * schemas in docs/schemas are made from this, so whatever a command prints is
 * described, and the compiler holds the command to it.
 */
export interface Documents {
  'build-module': OutcomesDocument<BuildResult> | ResultDocument<BuildResult>;
  carve: ResultDocument<CarvedImage>;
  config: ResultDocument<Settings>;
  devices: DevicesDocument<DeviceDescription>;
  doctor: ResultDocument<Diagnosis>;
  env: ResultDocument<WorkspaceEnvironment>;
  'headers diff': ResultDocument<HeadersDiff>;
  'headers list': ResultDocument<HeadersList> | OutcomesDocument<HeadersList>;
  'headers search': ResultDocument<SearchResult> | OutcomesDocument<SearchResult>;
  'headers show': ResultDocument<HeaderDocument[]> | OutcomesDocument<HeaderDocument[]>;
  import: ResultDocument<ImportedHeaders>;
  'load-module': OutcomesDocument<LoadedModule>;
  'manifest add': ResultDocument<AddedEntries>;
  'manifest check': ResultDocument<ManifestCheck[]>;
  'manifest check-devices': OutcomesDocument<DeviceCheck>;
  'manifest keygen': ResultDocument<NewKeys>;
  'manifest revoke': ResultDocument<RevokedArchives>;
  'manifest show': ResultDocument<ShownManifest>;
  'manifest sign': ResultDocument<SignedManifest>;
  'manifest verify': ResultDocument<SignedManifest>;
  pack: ResultDocument<PackedHeaders>;
  pull: OutcomesDocument<PulledHeaders>;
  simulate: ResultDocument<SimulatorPlace>;
  'store gc': ResultDocument<Garbage>;
  'store verify': ResultDocument<StoreCheck>;
  symvers: OutcomesDocument<RecoveredSymvers> | ResultDocument<RecoveredSymvers>;
  'unload-module': OutcomesDocument<UnloadedModule>;
  'workspace list': ResultDocument<WorkspaceResult[]>;
  'workspace path': ResultDocument<WorkspacePaths>;
  'workspace remove': ResultDocument<RemovedWorkspaces>;
  'workspace show': ResultDocument<WorkspaceResult>;
  'workspace verify': ResultDocument<WorkspaceCheck[]>;
}
