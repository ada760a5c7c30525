"""Settings of Superset where they differ from its own; start.py says where its files lie."""

from superset.config import TALISMAN_CONFIG

# Superset's pages report each view to a host of its vendor: browsers load nothing from outside.
TALISMAN_CONFIG["content_security_policy"] |= {
    "img-src": ["'self'", "blob:", "data:"],
    "connect-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "font-src": ["'self'"],
}
LOG_LEVEL = "WARNING"
