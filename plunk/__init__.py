"""An e-mail automation platform: Plunk's REST API, `.flow` workflows and a durable engine."""
