"""Small words that stand on plates and frames without being part of the plate's text."""

from __future__ import annotations

LEGENDS: tuple[str, ...] = (
    "California", "TEXAS", "Illinois", "NEW YORK", "ARIZONA", "Louisiana", "FLORIDA", "Ohio",
    "Georgia", "COLORADO", "KANSAS", "Missouri", "Virginia", "Oregon", "Maryland", "NEVADA",
    "Pennsylvania", "MICHIGAN", "Minnesota", "WISCONSIN", "Washington", "New Jersey",
    "Massachusetts", "Connecticut", "TENNESSEE", "Sunshine State", "Great Lakes",
    "FIRST IN FLIGHT", "Evergreen State", "The Lone Star State", "GRAND CANYON", "Garden State",
    "Land of Lincoln", "Live Free or Die", "ALOHA STATE", "Famous Potatoes", "visitPA.com",
    "COLLECTOR", "AUTO CENTER", "www.motors.com", "DEALER SALES", "HONDA", "TOYOTA OF", "COUNTY",
    "MOTORS", "University", "NAVY", "ALUMNI", "San Francisco", "REDWOOD CITY", "BRASIL",
    "SP SAO PAULO", "RJ RIO", "REPUBLICA ARGENTINA", "ARGENTINA", "MERCOSUR", "AUTO GAMMA",
    "Autohaus", "Garage du Lac", "SK", "CZ", "D", "PL", "GB", "F", "I", "NL", "A", "RO", "H", "E",
    "BR", "DEC", "MAR 14", "2013", "JUN", "04", "18", "07", "OCT 12", "JAN", "APR", "98", "11",
    "TRUCK", "TRAILER", "DP", "VT", "MC", "510-347-4800", "(713) 864-1045",
)  # fmt: skip
