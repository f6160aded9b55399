"""What the queue can do beyond one visit, shown in a few seconds: a scene a file.

Each scene does a thing as the person would who does it, waits for what is announced of it, and fails when something is not
as it says. The scenes play at a small site of their own (`ground.py`), so nothing of a real site is touched. A service may
bring a scene of its own, `services/<name>/api/scene.py`: no file here names it.
"""

from mpp_localrun.tour.program import run_tour

__all__ = ["run_tour"]
