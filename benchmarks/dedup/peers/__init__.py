"""The same corpus through holdfast and through others."""
