# SPDX-License-Identifier: BSD-2-Clause
"""The tables of the request and response matrices."""
