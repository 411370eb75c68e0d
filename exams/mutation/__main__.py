import sys

from exams.mutation.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
