"""python -m neurohw.cli"""

from neurohw.cli import main

main()
