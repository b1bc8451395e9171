metadata(description="The controller of a Postern gate", version="1.0.0")

# The closing option is built in by an installer only: see PROTOCOL.md, section 9.
options.defaults(closing=False)

package(
    "gatepost",
    files=(
        "__init__.py",
        "codes.py",
        "config.py",
        "digest.py",
        "events.py",
        "faults.py",
        "frame.py",
        "inputs.py",
        "link.py",
        "orders.py",
        "post.py",
        "safety.py",
        "uptime.py",
    ),
)
if options.closing:
    package("gatepost", files=("closing.py",))
package("boards", files=("__init__.py", "common.py", "esp32.py", "rp2.py"))
module("boot.py")
module("main.py")
