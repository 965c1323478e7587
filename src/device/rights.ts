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
   * @param work under whose signal to climb: clearing up goes on when that of the work itself has fired
   * @returns root access, or undefined when every step of the ladder was refused
   * @throws KhError as `climb`
   */
  async root(work = this.work): Promise<Access | undefined> {
    if (this.#access.root) return this.#access;
    if (this.#refusals !== undefined) return undefined;
    const { access, refusals } = await climb(this.#access, this.ladder.privilege, this.ladder.reopen, work);
    this.#access = access;
    if (access.root) return access;
    this.#refusals = refusals;
    return undefined;
  }
}
