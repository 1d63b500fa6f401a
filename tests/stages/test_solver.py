"""The engine's promises: what is linked arrives, whatever becomes of the nodes in between."""

from __future__ import annotations

from loopsafe.program.solver import Node, Solver
from loopsafe.program.values import External, Value


def test_a_link_from_a_new_node_is_never_taken_for_an_old_one() -> None:
    solver, target = Solver({"": 10_000}), Node()
    things: list[Value] = [External(str(number)) for number in range(100)]
    for thing in things:
        # Nobody else holds this node: its memory is free for the next one.
        source = Node()
        source.values = (thing,)
        solver.link(source, target)
        solver.run()
    assert list(target.values) == things


def test_a_spent_budget_ends_the_work_until_it_is_given_anew() -> None:
    solver = Solver({"": 3})
    seen: list[int] = []
    for number in range(5):
        solver.later(seen.append, number)
    solver.run()
    assert seen == [0, 1, 2]
    solver.refill()
    solver.later(seen.append, 5)
    solver.run()
    assert seen == [0, 1, 2, 5]
