"""Start Superset on the published database, with its dashboard; see docs/bi.md.

Everything that Superset keeps lies in `superset/` in the warehouse folder.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).parent
WAREHOUSE = Path(os.environ.get("USERPILOT_WAREHOUSE") or "warehouse").absolute()
HOME = WAREHOUSE / "superset"
PORT = os.environ.get("USERPILOT_SUPERSET_PORT") or "8088"
PASSWORD = os.environ.get("USERPILOT_SUPERSET_PASSWORD")
USER = "admin"


def main() -> None:
    """Prepare what is not prepared yet, then become the server."""
    if not (WAREHOUSE / "userpilot.duckdb").exists():
        sys.exit(f"{WAREHOUSE}/userpilot.duckdb does not exist yet. Run `make build` first.")
    os.umask(0o077)
    HOME.mkdir(exist_ok=True)
    os.environ |= {
        "SUPERSET_HOME": str(HOME),
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "SUPERSET_SECRET_KEY": kept_secret(HOME / "secret_key"),
    }
    # The URI of the database is relative, so that dashboard/ is the same for every warehouse.
    os.chdir(WAREHOUSE)
    done = HOME / "prepared"
    if PASSWORD or not done.exists() or done.read_text() != fingerprint():
        prepare()
        done.write_text(fingerprint())
    print(f"Superset: http://127.0.0.1:{PORT}/superset/dashboard/userpilot/", flush=True)
    # A process sees a replaced database file once it has closed the old one. A sync worker does one
    # request at a time, so the next one always sees it.
    server = ("-m", "gunicorn", "superset.app:create_app()", "--bind", f"127.0.0.1:{PORT}")
    options = ("--workers", "4", "--worker-class", "sync", "--preload", "--timeout", "120")
    command = [sys.executable, *server, *options, "--no-control-socket"]
    os.execv(sys.executable, command)  # noqa: S606


def kept_secret(path: Path) -> str:
    """Return what the file holds; at first, something random."""
    if not path.exists():
        path.write_text(secrets.token_urlsafe(42))
    return path.read_text()


def assets() -> dict[str, str]:
    """Return the files of dashboard/ by their paths in it."""
    folder = HERE / "dashboard"
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*.yaml"))
    }


def fingerprint() -> str:
    """Tell these packages and this dashboard from others."""
    content = (HERE / "requirements.txt").read_text() + repr(assets())
    return hashlib.sha256(content.encode()).hexdigest()


def prepare() -> None:
    """Create or migrate Superset's own database, its user, and import the dashboard."""
    print("Preparing Superset ...", flush=True)
    logging.disable(logging.WARNING)
    from flask import g  # noqa: PLC0415
    from flask_migrate import upgrade  # noqa: PLC0415
    from superset.app import create_app  # noqa: PLC0415

    chatter = (HOME / "prepare.log").open("w")
    with chatter, contextlib.redirect_stdout(chatter), create_app().app_context():
        # What these modules hold is there once there is an app.
        from superset import appbuilder, db, security_manager  # noqa: PLC0415
        from superset.commands.importers.v1.assets import ImportAssetsCommand  # noqa: PLC0415

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        g.user = security_manager.find_user(USER)
        if g.user is None:
            password = PASSWORD or secrets.token_urlsafe(12)
            role = security_manager.find_role("Admin")
            g.user = security_manager.add_user(
                USER, "Admin", "User", "admin@localhost", role, password
            )
            if not PASSWORD:
                print(f"User: {USER}, password (shown only now): {password}", file=sys.stderr)
        elif PASSWORD:
            security_manager.reset_password(g.user.id, PASSWORD)
        ImportAssetsCommand(assets()).run()
        db.session.commit()


if __name__ == "__main__":
    main()
