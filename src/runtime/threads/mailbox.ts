/** Mailboxes: the words in shared memory through which the first thread hands parts of steps to the others, and how both sides wait. */

/** Words of one thread's mailbox: two cache lines for what it is told, two for what it answers. */
const WORDS = 64;
/** Offsets of the words. A task's number is stored last and read first, atomically; the other words of a task lie behind that. */
const [TASK, KERNEL, ARGS, BEGIN, END, PAGES, SLEEPS, DONE, FAILED] = [0, 1, 2, 3, 4, 5, 6, 32, 33];
/** Stands for a kernel: the thread ends. */
const LEAVE = -1;

/** Waiting burns the processor this long before it sleeps: longer than a gap between two steps, shorter than one between two runs. */
const SPIN_MS = 0.15;
const SPINS = 200;
/** A sleeping first thread looks up this often. */
const NAP_MS = 50;

export interface Mailboxes {
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** A part of a step: units [begin, end) of kernel number `kernel`. */
export interface Task {
  readonly kernel: number;
  readonly args: number;
  readonly begin: number;
  readonly end: number;
}

export function createMailboxes(threads: number): Mailboxes {
  return { words: new Int32Array(new SharedArrayBuffer(4 * WORDS * threads)) };
}

/** Hands a task to `thread`. pages: size of the memory it runs on. */
export function post({ words }: Mailboxes, thread: number, number: number, task: Task, pages: number): void {
  const at = WORDS * thread;
  words[at + KERNEL] = task.kernel;
  words[at + ARGS] = task.args;
  words[at + BEGIN] = task.begin;
  words[at + END] = task.end;
  words[at + PAGES] = pages;
  Atomics.store(words, at + TASK, number);
  if (Atomics.load(words, at + SLEEPS) !== 0) Atomics.notify(words, at + TASK);
}

/** Asks `thread` to end. */
export function dismiss(boxes: Mailboxes, thread: number): void {
  const at = WORDS * thread;
  post(boxes, thread, Atomics.load(boxes.words, at + TASK) + 1, { kernel: LEAVE, args: 0, begin: 0, end: 0 }, 0);
}

/** Whether `thread` has finished task `number` before `limitMs` are over. mayBlock: whether this thread is allowed to sleep. */
export function finished({ words }: Mailboxes, thread: number, number: number, mayBlock: boolean, limitMs: number): boolean {
  const at = WORDS * thread + DONE;
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, at) === number) return true;
  const start = performance.now();
  for (let waited = 0; waited < limitMs; waited = performance.now() - start) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, at) === number) return true;
    if (mayBlock && waited > SPIN_MS) nap(words, at, number);
  }
  return Atomics.load(words, at) === number;
}

function nap(words: Int32Array<SharedArrayBuffer>, at: number, number: number): void {
  Atomics.store(words, SLEEPS, 1); // of mailbox 0, which is the first thread's own
  const seen = Atomics.load(words, at);
  if (seen !== number) Atomics.wait(words, at, seen, NAP_MS);
  Atomics.store(words, SLEEPS, 0);
}

/** Whether a kernel threw in `thread`. */
export function hasFailed({ words }: Mailboxes, thread: number): boolean {
  return Atomics.load(words, WORDS * thread + FAILED) !== 0;
}

type Run = (kernel: number, args: number, begin: number, end: number, pages: number) => void;

/** Runs what is posted to `thread` until it is dismissed. A task that throws is marked as failed, and as done. */
export function serve({ words }: Mailboxes, thread: number, run: Run): void {
  const at = WORDS * thread;
  for (let number = 0; ; ) {
    number = nextTask(words, at, number);
    const kernel = words[at + KERNEL]!;
    if (kernel === LEAVE) return;
    try {
      run(kernel, words[at + ARGS]!, words[at + BEGIN]!, words[at + END]!, words[at + PAGES]!);
    } catch {
      Atomics.store(words, at + FAILED, 1);
    }
    Atomics.store(words, at + DONE, number);
    if (Atomics.load(words, SLEEPS) !== 0) Atomics.notify(words, at + DONE);
  }
}

/** The number of the task behind `last`. */
function nextTask(words: Int32Array<SharedArrayBuffer>, at: number, last: number): number {
  const start = performance.now();
  do {
    for (let i = 0; i < SPINS; i++) {
      const number = Atomics.load(words, at + TASK);
      if (number !== last) return number;
    }
  } while (performance.now() - start < SPIN_MS);
  Atomics.store(words, at + SLEEPS, 1);
  while (Atomics.load(words, at + TASK) === last) Atomics.wait(words, at + TASK, last);
  Atomics.store(words, at + SLEEPS, 0);
  return Atomics.load(words, at + TASK);
}
