import type { Work } from '../core/work';
import type { Access } from './access';
import { climb, type PrivilegeChoice, type Refusal, type Reopen } from './privilege';

/** The rights in hand on a device. Root is asked for when it is first needed, and once only. */
export class Rights {
  #access: Access;
  #refusals: Refusal[] | undefined;

  constructor(
    plain: Access,
    private readonly ladder: { privilege: PrivilegeChoice; reopen: Reopen },
    private readonly work: Work,
  ) {
    this.#access = plain;
  }

  get access(): Access {
    return this.#access;
  }

  /** Why there is no root; empty until `root` was asked for. */
  get refusals(): Refusal[] {
    return this.#refusals ?? [];
  }

  /**
   * @returns root access, or undefined when every step of the ladder was refused
   * @throws KhError as `climb`
   */
  async root(): Promise<Access | undefined> {
    if (this.#access.root) return this.#access;
    if (this.#refusals !== undefined) return undefined;
    const climbed = await climb(this.#access, this.ladder.privilege, this.ladder.reopen, this.work);
    if ('refusals' in climbed) {
      this.#refusals = climbed.refusals;
      return undefined;
    }
    this.#access = climbed.access;
    return climbed.access;
  }
}
