"""What mobility brings to a node: bundles of feeds, and the words of its refusals and reports."""

from pathlib import Path

from tongcheng.kernel.service import Service
from tongcheng.services.mobility.bundle.records import BUNDLES, check_bundles

_HERE = Path(__file__).parent
TEXTS_PATH = _HERE / "texts.yaml"

SERVICE = Service(
    name="mobility",
    tables=(BUNDLES,),
    errors=(_HERE / "errors.yaml",),
    texts=(TEXTS_PATH,),
    verify=(check_bundles,),
)
