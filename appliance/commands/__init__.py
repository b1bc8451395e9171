"""The subcommands of `postern`: each module has ``configure(parser)`` and ``run(args, config)``."""
