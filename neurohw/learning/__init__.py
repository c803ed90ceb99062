"""Learning: rules that turn recordings into weight changes, tasks, and what brings the changes onto a chip.

A rule is a `Learner`: it sees recordings, never a chip. What writes is apart from it, so that any rule goes with any
chip. Nothing here knows what lies behind a chip's face.
"""
