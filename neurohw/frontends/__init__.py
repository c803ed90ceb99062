"""How a network comes in from elsewhere: NIR files and PyNN scripts."""
