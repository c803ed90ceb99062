"""An emulator of SpiNNaker 1 cores running sPyNNaker 7.4.1, exact to the bit."""
