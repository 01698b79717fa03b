"""What may name an application."""

import pytest
from django.core.exceptions import ValidationError

from oidc_pkce.validators import validate_application_id


@pytest.mark.parametrize(
    "name", [".", "..", ".well-known", "OAuth2", "oauth2", "a b", "", "a" * 65]
)
def test_what_stands_for_something_else_in_addresses_names_no_application(name):
    with pytest.raises(ValidationError):
        validate_application_id(name)


@pytest.mark.parametrize("name", ["my_app", ".hidden", "OAuth2-portal", "a", "0", "A.b-c_9"])
def test_an_application_id_is_letters_digits_and_a_few_marks(name):
    validate_application_id(name)
