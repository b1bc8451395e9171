"""What the gate program says in its own words, marked here to be translated where it is shown.

The gate knows no languages. A sentence that is not listed is shown as it was said; a test compares
this list with the gate's.
"""

from __future__ import annotations

from typing import Any

from appliance.console.tongue import _, _l

ISSUES: tuple[Any, ...] = (
    _l("No policy is in force; nothing opens by itself and nothing is kept"),
    _l("Publish the site's policy in the console"),
    _l("A change of the policy could not be understood; the last good one is used"),
    _l("Open the grant list in the console and mend the entry it marks"),
    _l("The camera program is silent; no car opens the gate by itself"),
    _l("Open by hand; see `postern status` for the camera program"),
    _l("Passages cannot be kept; the gate asks the guard for every car"),
    _l("See `postern status` for the records program"),
    _l("Some passages could not be kept and are lost; they are counted"),
    _l("See the log of the records program"),
    _l("The barrier controller does not answer"),
    _l("Check its power and cable; the hand release works without it"),
    _l("The barrier was told to open but the arm did not leave its closed position"),
    _l("Look at the arm; open it with the hand release"),
    _l("The barrier reports a fault"),
    _l("Look at the operator cabinet's display"),
    _l("This box holds no key of the barrier controller; it can open nothing"),
    _l("Run `postern controller provision PORT` (OSDP: `postern controller osdp-key`)"),
    _l("The controller had to forget what happened at it, since its memory was full"),
    _l("Openings by hand may be missing from the journal; see why records was away so long"),
    _l("A barrier controller answers that was not keyed by this box; nothing is sent to it"),
    _l("If it was replaced on purpose, run `postern controller provision`; if not, look who did"),
    _l("STOP is pressed or its wire is broken; the barrier does not move"),
    _l("See whether somebody is in danger; then release the button or mend the wire"),
    _l("The fire contact holds the barrier open"),
    _l("It ends when the fire panel lets go"),
    _l("The controller's cabinet is open"),
    _l("See who opened it; close it"),
    _l("A loop, a light barrier or a button has been active for too long"),
    _l("Look for a car that stands there, a dirty lens or a broken wire"),
    _l("The opening relay does not follow its order; it may be stuck"),
    _l("Have the controller's relay and its supply checked today"),
    _l("The controller's settings are missing or damaged; it opens only by hand, exit and fire"),
    _l("Run `postern controller provision`"),
    _l("The controller's settings are not those of its last passed pull-the-plug test"),
    _l("If nobody here did that, treat the cabinet as opened; repeat the commissioning test"),
    _l("The controller and this box do not agree whether the barrier moved"),
    _l("Check the limit switches and their wires"),
    _l("Cars are let in only from the entry loop, but no such loop is read; the guard is asked"),
    _l("Wire the loop to the controller or set `presence_needed` to false"),
    _l("More than one car in five crossed the loop without its plate being read"),
    _l("Clean the lens; see the camera's picture and its advice"),
    _l("A car drove in behind another within the last hour; see the traffic figures"),
    _l("Watch the gate; a shorter closing time of the operator cabinet may help"),
    _l("The time of day is not known to be right; grants with dates or hours ask the guard"),
    _l("Set the clock or connect a time source"),
    _l("An opening could not be written down first, so the gate stayed closed"),
    _l("See whether the runtime folder is full"),
    _l("The scenario of the simulated inputs could not be read"),
    _l("Mend the file it names"),
)
"""Standing troubles: what is wrong and what to do."""

REFUSALS: tuple[Any, ...] = (
    _l("the barrier was opened a moment ago"),
    _l("Wait three seconds and try again"),
    _l("the barrier did not answer in time"),
    _l("Use the hand release if it is urgent"),
    _l("the barrier is busy"),
    _l("Try again in a moment"),
    _l("the gate program is ending"),
    _l("Try again in a few seconds"),
    _l("STOP is pressed; nothing moves"),
    _l("See whether somebody is in danger, then release it"),
    _l("the fire contact holds the barrier open already"),
    _l("Nothing is to be done"),
    _l("the barrier controller refused the order"),
    _l("Look at the operator cabinet"),
    _l("the barrier controller does not answer"),
    _l("It may have opened; look, or use the hand release"),
    _l("a hold needs its length in seconds"),
    _l("the code is wrong"),
    _l("Ask again, calmly"),
    _l("Open by hand with the reason, or not"),
    _l("this role does not answer for a car"),
    _l("Ask the guard"),
    _l("a code is missing"),
    _l("a yes names its entry"),
    _l("a resident answers for no organisation"),
    _l("no car waits for this now"),
    _l("It has left, was let in, or its minute is over; ask the guard"),
    _l("the car does not wait any more"),
    _l("It has left or was let in meanwhile"),
    _l("too many wrong codes were given for this car"),
    _l("Ask the driver who they are, and open by hand with the reason"),
    _l("an order names who gives it and for what purpose"),
    _l("an order needs its reason"),
    _l("Write a few words: who is let in, and why"),
    _l("this role does not move the barrier"),
    _l("a hold lasts at most 60 s"),
    _l("Ask again before it ends to renew it"),
    _l("Open by hand if it is urgent"),
)
"""Why a person's order was not carried out, and what to do."""


def said(sentence: str) -> str:
    """The sentence in the reader's language."""
    return _(sentence) if sentence else ""
