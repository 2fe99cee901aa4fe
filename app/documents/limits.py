"""How much is kept: sizes in bytes and characters, and how many files are handled at the same time."""

from threading import BoundedSemaphore

LARGEST_BYTES = 20_000_000
LONGEST_NAME = 120
LONGEST_NOTE = 500
MOST_PER_SUBJECT = 20

# A file needs its size some five times over while it is sealed and written: so many at once in this process,
# whatever the number of threads; the others wait. Doors take a place before they hold a file in memory.
FEW_AT_ONCE = BoundedSemaphore(4)
