"""The top of a process that does one training of a study: ``python -m tumorscope.studies.worker``.

The training comes by standard input and what came of it goes to standard output, pickled: both ends are this package.
All that is printed on the way goes to standard error, which is the training's log. When the input closes, the study is
gone.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback

from tumorscope.errors import TumorscopeError
from tumorscope.studies.work import Ended, Task, Training


def main() -> None:
    """Read a training, do it, write what came of it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task, training = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    pickle.dump(_done(task, training), answers)
    answers.close()
    sys.stdout.flush()
    os._exit(0)  # what else is open has nothing to say, and the thread still reads


def _done(task: Task, training: Training) -> Ended:
    try:
        return Ended(task(training))
    except TumorscopeError as error:
        return Ended({}, str(error))
    except Exception as error:  # whatever it is, the other trainings go on
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        return Ended({}, f"{type(error).__name__}: {first} (the whole message is in {training.log})")


def _end_with_the_study() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
