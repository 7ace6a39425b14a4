// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";

/// @title Signs whatever it is asked: also what an account's careless delegate would do
contract LaxWallet is IERC1271 {
    function isValidSignature(bytes32, bytes calldata) external pure override returns (bytes4) {
        return IERC1271.isValidSignature.selector;
    }
}

/// @title Signs nothing
contract StrictWallet is IERC1271 {
    error Refused();

    function isValidSignature(bytes32, bytes calldata) external pure override returns (bytes4) {
        revert Refused();
    }
}

/// @title Wants to do something while it is asked, which it must not be able to
contract BusyWallet {
    ICredentialRegistry private immutable _registry;

    constructor(ICredentialRegistry registry) {
        _registry = registry;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        _registry.cancelNonces(address(this), _registry.nonceOf(address(this)) + 1);
        return IERC1271.isValidSignature.selector;
    }
}
