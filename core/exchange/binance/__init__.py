"""Binance USD-M futures behind the port."""
