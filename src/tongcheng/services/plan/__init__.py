"""Plan 一张蓝图: the joint plan in public, and beside each commitment what runs here."""

from pathlib import Path

from tongcheng.kernel.access import Action
from tongcheng.kernel.service import Service
from tongcheng.services.plan.pages import HANDLERS

FOLDER = Path(__file__).parent
TEMPLATES_DIR = FOLDER / "templates"

SERVICE = Service(
    name="plan",
    texts=(FOLDER / "texts.yaml",),
    errors=(FOLDER / "errors.yaml",),
    pages=HANDLERS,
    actions=(Action("plan.read"),),
)
