"""``python -m razorpay_hardened.cli``: the same as ``razorpay-hardened``."""

import sys

from razorpay_hardened.cli import main

if __name__ == "__main__":
    sys.exit(main())
