import pytest

from tests.contract.subjects import SUBJECTS, Subject


@pytest.fixture(scope="session", params=SUBJECTS, ids=lambda s: s[0] + (" ideal" if s[1] else ""))
def subject(request):
    return Subject(*request.param)


@pytest.fixture
def chip(subject):
    """The subject's chip, freshly loaded."""
    return subject.clean()
