import type { TestContext } from 'node:test';

/** What Node's types of the test context leave out. */
type Verdict = { readonly passed: boolean };

/** What things are opened for: a test, or, outside of tests, a stack that somebody disposes of. */
export type Owner = TestContext | AsyncDisposableStack;

interface Scope {
  passed: boolean;
  readonly stack: AsyncDisposableStack;
}

const scopes = new WeakMap<TestContext, Scope>();

/**
 * Runs `dispose` when the test has ended, last registered first, told whether the test and all its subtests so far passed.
 * (A test's own `passed` does not know of its failed subtests.) For what several tests share, make them subtests of one.
 */
export function atEnd(t: Owner, dispose: (passed: boolean) => void | Promise<void>): void {
  if (t instanceof AsyncDisposableStack) {
    t.defer(() => dispose(true));
    return;
  }
  const scope = scopes.get(t) ?? openScope(t);
  scope.stack.defer(() => dispose(scope.passed));
}

function openScope(t: TestContext): Scope {
  const scope: Scope = { passed: true, stack: new AsyncDisposableStack() };
  scopes.set(t, scope);
  t.afterEach((subtest) => {
    if (!(subtest as unknown as Verdict).passed) scope.passed = false;
  });
  t.after(async () => {
    if (!(t as unknown as Verdict).passed) scope.passed = false;
    await scope.stack.disposeAsync();
  });
  return scope;
}
