"""Studies: recordings held against references, with named statistics, a yardstick, a diagnosis and a report."""
