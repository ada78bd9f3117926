"""What the library offers to test suites: a pytest plugin and the public store contract. Imports no extra."""
