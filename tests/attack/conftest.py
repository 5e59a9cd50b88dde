"""The tills of the sale tests, to be stolen."""

from tests.sale.conftest import open_shop

__all__ = ["open_shop"]
