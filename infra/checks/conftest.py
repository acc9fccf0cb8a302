"""What the tests of a deployment share: one ministack, and one stack in it."""

import pytest

import deployment as stack


def pytest_addoption(parser):
    parser.addoption(
        "--cargo-lambda", action="store_true", help="builds the functions with cargo-lambda, as for a deployment"
    )


@pytest.fixture(scope="session")
def deployment(request, tmp_path_factory):
    zips = stack.build_zips(request.config.getoption("--cargo-lambda"))
    log = tmp_path_factory.mktemp("ministack") / "log"
    with stack.running(log) as running:
        running.upload(zips)
        running.outputs = running.create_stack(stack.STACK)
        yield running
