"""Region packs: data only. The code never names a region; a region is a folder in here."""
