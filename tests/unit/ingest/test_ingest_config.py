import pydantic
import pytest

from transforms.ingest.config import MAX_DOCUMENT_BYTES, FieldMapping, IngestConfig


def test_defaults_are_the_fields_own_names() -> None:
    fields = FieldMapping()
    assert all(getattr(fields, role) == role for role in FieldMapping.model_fields)
    assert fields.required("text")
    assert not fields.required("url")
    assert FieldMapping(url="meta.url").required("url")


BAD = [
    ({"max_document_bytes": MAX_DOCUMENT_BYTES + 1}, r"67108864.*1 to 67108863; lower"),
    ({"max_document_bytes": 0}, r"max_document_bytes is 0.*raise"),
    ({"batch_rows": 0}, r"batch_rows is 0.*raise"),
    ({"batch_bytes": 1 << 31}, r"batch_bytes is 2147483648.*lower"),
    ({"max_dead_fraction": 1.5}, r"1\.5.*0 to 1.*such as 0\.01"),
    ({"max_dead_fraction": float("nan")}, "nan"),
    ({"fields": {"url": ""}}, "'' is no column name"),
    ({"fields": {"url": "meta..url"}}, r"'meta\.\.url' is no column name.*dotted path"),
    ({"fields": {"link": "url"}}, "link"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_refused_values_name_the_way_out(values: dict[str, object], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        IngestConfig.model_validate(values)
