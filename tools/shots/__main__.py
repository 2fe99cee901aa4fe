"""`make shots`: the pictures of the README. Those of the back office need a product that `make run` started."""

import subprocess
import sys

for part in ("hosted", "office"):
    subprocess.run([sys.executable, "-m", f"tools.shots.{part}"], check=True)
