"""Golden texts: what is printed for people stands in tests/golden/text, so that a change of words is seen and meant.

Write them anew with `NEUROHW_GOLDEN=write python -m pytest tests/passes`, and read the difference before committing it.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden" / "text"


def check(name: str, text: str) -> None:
    """`text` is what stands in tests/golden/text/<name>.txt."""
    path, text = FOLDER / f"{name}.txt", text.rstrip() + "\n"
    if os.environ.get("NEUROHW_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing; write it with NEUROHW_GOLDEN=write"
    assert text == path.read_text(encoding="utf-8"), (
        "the text has changed; if it was meant, write it with NEUROHW_GOLDEN=write"
    )
