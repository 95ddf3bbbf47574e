"""What mobility brings to a node: so far the words of its refusals and reports."""

from pathlib import Path

from tongcheng.kernel.service import Service

_HERE = Path(__file__).parent
TEXTS_PATH = _HERE / "texts.yaml"

SERVICE = Service(name="mobility", texts=(TEXTS_PATH,), errors=(_HERE / "errors.yaml",))
