"""A traced graph made smaller: what weights alone decide is computed, what nothing needs is left out."""

import operator
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.graph import CodeGen

RANDOM = "random_"
"""How the names of inputs begin that stand for random numbers."""
DRAWN = {
    torch.ops.aten.randn.default: "normal",
    torch.ops.aten.randn_like.default: "normal",
    torch.ops.aten.rand.default: "uniform",
    torch.ops.aten.rand_like.default: "uniform",
}
"""What draws random numbers of a known distribution, which may as well be given."""


def trim(module: fx.GraphModule) -> frozenset[str]:
    """Leaves a traced graph with named inputs, one result, and no more than it needs; names the tensors it needs.

    Args:
        module: what `torch.export` made, without operations that change a tensor in place.
    """
    graph = module.graph
    graph.set_codegen(CodeGen())
    (end,) = graph.find_nodes(op="output")
    (result,) = end.args[0]
    end.args = (result,)
    _remove_unused(graph)
    return frozenset(str(node.target) for node in graph.find_nodes(op="get_attr"))


def fold(module: fx.GraphModule) -> fx.GraphModule:
    """The same graph, in which what depends on no input is a tensor, computed once.

    This is not for speed alone: an exporter then meets fewer kinds of operations, each of which it may have got wrong.
    """
    graph = module.graph
    tensors: dict[str, Tensor] = {}
    values: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            values[node] = operator.attrgetter(node.target)(module).detach()
        elif _is_constant(node, values):
            args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*args, **kwargs)
    for node, value in values.items():
        if isinstance(value, Tensor) and any(user not in values for user in node.users):
            _replace(node, value, tensors)
    _remove_unused(graph)
    return fx.GraphModule(tensors, graph)


def changes_in_place(graph: fx.Graph) -> bool:
    """Whether an operation changes a tensor that it is given."""
    return any(getattr(getattr(node.target, "_schema", None), "is_mutable", False) for node in graph.nodes)


def give_random_numbers(graph: fx.Graph) -> dict[str, tuple[int | None, ...]]:
    """Makes inputs of the random numbers that a graph draws: their shapes by name, None where it is that of the batch.

    Numbers of another distribution than the normal and the even one stay drawn: see `draws`.
    """
    shapes: dict[str, tuple[int | None, ...]] = {}
    (*_, last) = graph.find_nodes(op="placeholder")
    for node in [node for node in graph.nodes if node.target in DRAWN]:
        name = f"{RANDOM}{DRAWN[node.target]}_{len(shapes)}"
        with graph.inserting_after(last):  # torch.export takes inputs in their order, whatever their names
            last = given = graph.placeholder(name)
        given.meta = dict(node.meta)
        node.replace_all_uses_with(given)
        graph.erase_node(node)
        shapes[name] = tuple(side if isinstance(side, int) else None for side in node.meta["val"].shape)
    _remove_unused(graph)
    return shapes


def draws(graph: fx.Graph) -> list[str]:
    """The operations of a graph whose result is random."""
    return [str(node.target) for node in graph.nodes if _is_random(node)]


def _is_constant(node: fx.Node, values: dict[fx.Node, Any]) -> bool:
    if node.op != "call_function" or _is_random(node) or any(given not in values for given in node.all_input_nodes):
        return False
    made = node.meta.get("val")
    return isinstance(made, Tensor) or all(user.target is operator.getitem for user in node.users)


def _is_random(node: fx.Node) -> bool:
    if node.target is torch.ops.aten.dropout.default:  # which in evaluation mode does nothing
        return bool(node.args[2])
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _replace(node: fx.Node, value: Tensor, tensors: dict[str, Tensor]) -> None:
    name = str(node.target).replace(".", "_") if node.op == "get_attr" else f"constant_{len(tensors)}"
    tensors[name] = value.contiguous()
    with node.graph.inserting_before(node):
        constant = node.graph.get_attr(name)
    constant.meta = dict(node.meta)
    node.replace_all_uses_with(constant)


def _remove_unused(graph: fx.Graph) -> None:
    for node in reversed(graph.nodes):
        if node.op in ("call_function", "get_attr") and not node.users:
            graph.erase_node(node)
