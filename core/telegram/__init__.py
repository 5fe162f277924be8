"""A person's phone as a remote control: few commands, from few people, and nothing that adds risk."""
