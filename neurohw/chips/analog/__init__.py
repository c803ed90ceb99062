"""Analog chips: circuits that are alike only on paper, with digital weights of few bits."""
