// What a test sets up is taken down in the opposite order, also when the test failed: a client
// before the daemon, the daemon before its folder. (node:test runs its own hooks first come, first
// served.)

type CleanUp = () => void | Promise<void>;

/** A TestContext; or `{ after }` of node:test itself, for what a whole file or suite shares. */
export interface TestScope {
  after(hook: () => Promise<void>): void;
}

const stacks = new WeakMap<TestScope, CleanUp[]>();

/** Runs `cleanUp` when the test is over, before everything that was registered earlier. */
export function onTestEnd(t: TestScope, cleanUp: CleanUp): void {
  const known = stacks.get(t);
  if (known !== undefined) {
    known.push(cleanUp);
    return;
  }
  const stack = [cleanUp];
  stacks.set(t, stack);
  t.after(() => runAll(stack));
}

/** One that fails does not keep the others from running. */
async function runAll(stack: CleanUp[]): Promise<void> {
  const errors: unknown[] = [];
  for (let cleanUp = stack.pop(); cleanUp !== undefined; cleanUp = stack.pop()) {
    try {
      await cleanUp();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, 'Several clean-ups failed');
}
