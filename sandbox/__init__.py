"""Stand-ins for the outside world: acquirers, banks, shops. `app/` never imports anything from here."""
