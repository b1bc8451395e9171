from machine import Pin

OUTPUTS = (16, 17, 18)  # commissioning writes the pins of this board here
for _pin in OUTPUTS:
    Pin(_pin, Pin.OUT, value=0)
