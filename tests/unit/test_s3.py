"""One client for all calls, and a download of its own for each."""

from __future__ import annotations

from typing import Any

from apache_beam.io.aws import s3io
from apache_beam.io.aws.clients.s3 import boto3_client
from apache_beam.options.pipeline_options import PipelineOptions

from transforms import s3


class Client:
    """As Beam's: what is expensive, and where the one download is that it knows of."""

    def __init__(self, options: Any) -> None:
        self.client, self.options, self.position = object(), options, 0


def test_what_is_expensive_is_made_once():
    made = s3.shared(Client, told=str.lower)
    first, second, other = made("A"), made("a"), made("b")
    assert first.client is second.client
    assert first.client is not other.client
    first.position = 9
    assert (second.position, made("a").position) == (0, 0)


def test_beam_makes_its_client_where_it_is_shared(monkeypatch: Any):
    monkeypatch.setattr(boto3_client, "Client", Client)
    monkeypatch.setattr(s3io, "BOTO3_INSTALLED", True)
    s3.share_client.cache_clear()
    for _ in range(2):
        s3.share_client()
    places = ["--s3_endpoint_url=http://a.example", "--s3_endpoint_url=http://b.example"]
    a, again, b = (
        s3io.S3IO(options=PipelineOptions([place])).client for place in (*places[:1] * 2, places[1])
    )
    s3.share_client.cache_clear()
    assert a.client is again.client
    assert a is not again
    assert a.client is not b.client
