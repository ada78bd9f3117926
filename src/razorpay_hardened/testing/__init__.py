"""What the library offers to test suites. Imports no extra.

- ``plugin``     the pytest fixtures, which pytest finds by itself
- ``factories``  the body of every webhook event that Razorpay documents
- ``contract``   the tests that any store of your own must pass
"""
