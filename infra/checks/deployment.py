"""The template on ministack's CloudFormation, with the functions' real binaries as code."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import boto3

from expand import expand
from template import FUNCTIONS, ROOT, TEMPLATE

STACK = "stream-recovery"
CODE_BUCKET = "code"
START_SECONDS_MAX = 60
CREATE_SECONDS_MAX = 120
AMONG_PORTS = 5


def build_zips(by_cargo_lambda):
    """The functions' deployment packages, {logical id: path}.

    by_cargo_lambda: as for a deployment. Otherwise cargo's own release build, which the tests share, is zipped: the same
    profile without a second build for cargo-lambda's target.
    """
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    packages = [argument for package in FUNCTIONS.values() for argument in ("--package", package)]
    if by_cargo_lambda:
        command = ["cargo", "lambda", "build", "--release", "--locked", "--x86-64", "--output-format", "zip", *packages]
        subprocess.run(command, cwd=ROOT, check=True)
        return {name: target / "lambda" / package / "bootstrap.zip" for name, package in FUNCTIONS.items()}
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], cwd=ROOT, check=True)
    return {name: _zip(target / "release" / package) for name, package in FUNCTIONS.items()}


def _zip(binary):
    path = binary.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(binary, "bootstrap")
    return path


# Of these ministack 1.5.33 compares a number with a parameter's text, fails, and polls no more.
WANT_NUMBERS = ("KinesisFailureQueue", "DynamoDbFailureQueue", "KinesisFailureMapping", "DynamoDbFailureMapping")
# And it has no alarms on formulas.
WITHOUT_FORMULAS = ("KinesisStandsStill", "DynamoDbStandsStill")


def for_ministack(template):
    """The template as ministack takes it: without what it lacks, and numbers where a parameter would come as text."""

    def resolved(value):
        if isinstance(value, dict):
            parameter = template["Parameters"].get(value.get("Ref"), {})
            if parameter.get("Type") == "Number":
                return parameter["Default"]
            return {key: inner if key == "Fn::FindInMap" else resolved(inner) for key, inner in value.items()}
        return value

    dashboard = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in WITHOUT_FORMULAS:
        del template["Resources"][name]
        dashboard[0] = dashboard[0].replace(f',\n                "${{{name}.Arn}}"', "")
    for name in WANT_NUMBERS:
        resource = template["Resources"][name]
        resource["Properties"] = resolved(resource["Properties"])
    return template


class Deployment:
    """A running ministack, the packages uploaded to it, and the outputs of the stack in it."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.outputs = {}
        self.zips = {}

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def environment(self):
        """What the AWS CLI needs to talk to it."""
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            **os.environ,
            **credentials,
            "AWS_ENDPOINT_URL": self.endpoint,
            "STACK": STACK,
            "PATH": path,
        }

    def upload(self, zips):
        """Uploads code and template. By S3: a template in a request may have no more than 51,200 bytes."""
        self.zips = zips
        s3 = self.client("s3")
        s3.create_bucket(Bucket=CODE_BUCKET)
        for name, path in zips.items():
            s3.put_object(Bucket=CODE_BUCKET, Key=f"{name}.zip", Body=path.read_bytes())
        code = {name: {"Bucket": CODE_BUCKET, "Key": f"{name}.zip"} for name in zips}
        body = json.dumps(for_ministack(expand(TEMPLATE.read_text(), code)), default=str)
        s3.put_object(Bucket=CODE_BUCKET, Key="template.json", Body=body)

    def create_stack(self, name, **parameters):
        """Creates a stack of the template, waits until it stands, and returns its outputs."""
        cloudformation = self.client("cloudformation")
        parameters = {"Architecture": "x86_64", **parameters}
        cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"{self.endpoint}/{CODE_BUCKET}/template.json",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = wait_for(CREATE_SECONDS_MAX, f"{name} to stand", lambda: _finished(cloudformation, name))
        assert stack["StackStatus"] == "CREATE_COMPLETE", _failures(cloudformation, name)
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _finished(cloudformation, name):
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack


def _failures(cloudformation, name):
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (event["LogicalResourceId"], event.get("ResourceStatusReason"))
        for event in events
        if "FAILED" in event["ResourceStatus"]
    ]


@contextlib.contextmanager
def running(log_path):
    """A ministack on a port that was free a moment ago, until the block ends."""
    for _ in range(AMONG_PORTS):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        # Without its listener for MQTT, which would take a fixed port.
        environment = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
        # It leaves behind what it unpacked and what it kept.
        environment["TMPDIR"] = str(log_path.parent)
        # What it tells functions of where AWS is.
        environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        with log_path.open("w") as log:
            process = subprocess.Popen(
                [Path(sys.executable).parent / "ministack"],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        try:
            endpoint = f"http://127.0.0.1:{port}"
            if _is_up(process, endpoint):
                yield Deployment(endpoint)
                return
        finally:
            process.terminate()
            process.wait(timeout=30)
    raise RuntimeError(f"ministack did not start in {AMONG_PORTS} attempts; it said: {log_path.read_text()[-2000:]}")


def _is_up(process, endpoint):
    until = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def wait_for(seconds, what, look):
    """What `look` returns once it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds} s for {what}")
