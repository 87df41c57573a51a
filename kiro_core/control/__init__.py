"""The desk socket: other processes of the same user reach a live desk, which is then an agent like their own."""

from kiro_core.control.claiming import claim_served, who_serves
from kiro_core.control.doors import Doors, Served, make_doors
from kiro_core.control.front import ControlVerbs, Front
from kiro_core.control.meeting import HELLO_S
from kiro_core.control.places import served_socket, served_sockets, socket_of
from kiro_core.control.reaching import NOBODY, Reached, reach

__all__ = [
    "HELLO_S",
    "NOBODY",
    "ControlVerbs",
    "Doors",
    "Front",
    "Reached",
    "Served",
    "claim_served",
    "make_doors",
    "reach",
    "served_socket",
    "served_sockets",
    "socket_of",
    "who_serves",
]
