"""One archive that installs the app without a network: `make bundle`."""
