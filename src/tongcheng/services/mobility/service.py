"""What mobility brings to a node: bundles of feeds, pages, the words of refusals and reports."""

from pathlib import Path

from tongcheng.kernel.access import Action
from tongcheng.kernel.service import Service
from tongcheng.services.mobility.bundle import routes
from tongcheng.services.mobility.bundle.records import BUNDLES, check_bundles
from tongcheng.services.mobility.console import compare_pages, pages, port_pages, scenario_pages
from tongcheng.services.mobility.console.warming import warm
from tongcheng.services.mobility.scenario.kept import SCENARIOS, check_scenarios

_HERE = Path(__file__).parent
TEXTS_PATH = _HERE / "texts.yaml"

SERVICE = Service(
    name="mobility",
    tables=(BUNDLES, SCENARIOS),
    texts=(TEXTS_PATH, _HERE / "console" / "texts.yaml"),
    errors=(_HERE / "errors.yaml", _HERE / "bundle" / "errors.yaml"),
    routes=routes.ROUTES,
    pages=(
        *pages.HANDLERS,
        *compare_pages.HANDLERS,
        *scenario_pages.HANDLERS,
        *port_pages.HANDLERS,
    ),
    verify=(check_bundles, check_scenarios),
    actions=(
        Action("mobility.read"),
        Action("mobility.scenario.draw"),
        Action("mobility.scenario.keep"),
        Action("mobility.scenario.withdraw"),
    ),
    warm=(warm,),
)
