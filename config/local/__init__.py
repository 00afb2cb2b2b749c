"""The demo and the tests on one machine: servers out of wheels, and the supervisor of the processes."""
