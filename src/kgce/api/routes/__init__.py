"""The routes of `/api/v1`: they translate, they calculate nothing."""
